"""What every folder of skinfo shares: checks, columns, permutations, warnings."""
