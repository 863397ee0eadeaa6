"""Training, evaluation and prediction: three commands, three modules."""
