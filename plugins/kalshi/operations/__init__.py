"""What is wrong with the surroundings, and who hears of it."""
