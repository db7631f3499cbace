"""One operator's day: installed, upgraded, backed up and broken, and each trouble seen in the metrics."""
