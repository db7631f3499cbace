"""What proves the product and is no part of it: the story, the long checks, planted bugs. Not in the wheel."""
