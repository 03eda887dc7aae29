"""What people read of Lintas, served by the service itself: the manual, and the reference of the API."""
