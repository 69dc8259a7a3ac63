"""What is wrong with a call of the exchange, in the form of RFC 9457.

The words are for whoever programs the exchange; they are English, as the names of the fields are.
"""

from http import HTTPStatus

from werkzeug.exceptions import HTTPException

CONTENT_TYPE = "application/problem+json"
#: Codes of what HTTP itself refuses.
CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_body",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid_value",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
}
#: Of HTTP's own headers, those that go with the answer.
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class Problem(HTTPException):
    """A call that is refused, and why.

    :param int status: of HTTP
    :param str code: what a program looks at
    :param str detail: what a person reads
    :param errors: list of (field, message)
    :param headers: list of (name, value)

    >>> Problem(409, "id_conflict", "Another event has this id.").to_dict()["title"]
    'Conflict'
    """

    def __init__(self, status, code, detail, errors=(), headers=()):
        super().__init__(detail)
        self.code = status
        self.problem_code = code
        self.errors = list(errors)
        self.headers = list(headers)

    @classmethod
    def of(cls, error, status=HTTPStatus.INTERNAL_SERVER_ERROR):
        """The problem that any exception is; of what is inside nothing is told.

        :param int status: of an exception that is not of HTTP

        >>> from werkzeug.exceptions import MethodNotAllowed
        >>> Problem.of(MethodNotAllowed(["GET"])).headers
        [('Allow', 'GET')]
        >>> problem = Problem.of(KeyError("secret"))
        >>> problem.problem_code, problem.description
        ('server_error', 'Internal Server Error. It is safe to send the same again.')
        """
        if isinstance(error, cls):
            return error
        headers = []
        if isinstance(error, HTTPException) and error.code:
            status = error.code
            headers = [pair for pair in error.get_headers() if pair[0] in KEPT_HEADERS]
        status = HTTPStatus(status)
        detail = f"{status.phrase}."
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            detail += " It is safe to send the same again."
        return cls(status, CODES.get(status, "server_error"), detail, headers=headers)

    def to_dict(self):
        """What is answered, with the members of RFC 9457 and ``code`` and ``errors``."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.code).phrase,
            "status": int(self.code),
            "detail": self.description,
            "code": self.problem_code,
            "errors": [{"field": field, "message": message} for field, message in self.errors],
        }
