"""Which model is the champion: versions, the gate that a challenger has to pass, and the way back."""
