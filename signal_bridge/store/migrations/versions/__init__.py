"""The steps, in the order of their numbers. What was released stays as it is, to the letter."""
