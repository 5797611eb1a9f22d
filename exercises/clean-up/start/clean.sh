# PROJECT: whose leftovers have to go. What belongs to it bears the label project=$PROJECT.
