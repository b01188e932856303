"""What is exchanged with the Minor Planet Center: designations, observations, submissions (`docs/mpc.md`)."""
