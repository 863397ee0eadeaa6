"""From the source's file to rows that can be trusted."""
