"""How far outputs move when weights do, and the Gaussian bounds."""
