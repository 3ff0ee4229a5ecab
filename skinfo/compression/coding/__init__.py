"""Integers to bytes by adaptive arithmetic coding, and back."""
