"""What a service has that is no part of predicting: its settings, its log, its metrics."""
