"""Tables that plots are drawn from."""
