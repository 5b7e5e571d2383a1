"""What takes arrays and gives arrays: keys of trains and of recordings, alignment, likelihoods."""
