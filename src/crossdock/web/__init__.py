"""What people and shops reach over HTTP. No platform name anywhere: words and forms come from the manifest."""
