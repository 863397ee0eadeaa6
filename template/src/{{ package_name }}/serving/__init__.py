"""The model in use: a service, a batch job, and the store of what they predicted."""
