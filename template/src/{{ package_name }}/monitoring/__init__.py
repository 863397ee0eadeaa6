"""What has become of the predictions, window by window, and who is told."""
