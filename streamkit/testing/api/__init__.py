"""The API of runs, played from recordings, without any I/O: requests in, answers out.

What HTTP is made of is for `MockTransport` and `streamkit.server`, which share this.
"""

from .answering import Answer, Api
from .catalogue import Catalogue
from .delivery import ABORT, Delivery, Pause, Stalled
from .scenes import Entry, Statuses
from .served import Asked, Place, Served

__all__ = [
    "ABORT",
    "Answer",
    "Api",
    "Asked",
    "Catalogue",
    "Delivery",
    "Entry",
    "Pause",
    "Place",
    "Served",
    "Stalled",
    "Statuses",
]
