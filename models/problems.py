"""What can be wrong with the database as a whole. No import here, so that the command line can speak of it at once."""


class DatabaseProblem(Exception):
    """The database cannot be used as it is: one line that says why and what to do."""
