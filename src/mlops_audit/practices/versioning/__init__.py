"""Versioning (VER): code, data, models, features and configuration under version control."""
