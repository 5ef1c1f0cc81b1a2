"""The edge of every HTTP function: an API Gateway event in, problem+json or an answer out."""

from avarez.http.principal import Principal
from avarez.http.request import Request
from avarez.http.router import Response, Router, json_response

__all__ = ["Principal", "Request", "Response", "Router", "json_response"]
