"""The compression methods: from a stack and a target to a coded model."""
