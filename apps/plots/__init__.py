"""Pictures of trainings and results, drawn with matplotlib."""
