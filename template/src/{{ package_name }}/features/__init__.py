"""What the model sees, computed in one place for training and prediction."""
