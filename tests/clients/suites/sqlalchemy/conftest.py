"""SQLAlchemy's own pytest plugin, which knows nothing of where it is run but the requirements beside it."""
import sqlalchemy.testing
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: F401,F403  its hooks are pytest's

sqlalchemy.testing.assertions  # noqa: B018  loaded before tests are collected, as its documentation asks
