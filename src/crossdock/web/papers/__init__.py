"""What is handed out as a PDF. Imported when one is asked for: a web server at rest keeps nothing of it."""
