import time

from psycopg2 import OperationalError
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge

from odoo import SUPERUSER_ID, models
from odoo.exceptions import ConcurrencyError
from odoo.http import request

from ..engine import signature
from ..engine.problem import CONTENT_TYPE, Problem

#: Before all addresses that an exchange calls.
PREFIX = "/cc/api/v1"
CHALLENGE = ("WWW-Authenticate", 'Bearer realm="Odoo", Basic realm="Odoo", charset="UTF-8"')


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    # === WHO CALLS === #

    @classmethod
    def _auth_method_contact_center(cls):
        """An exchange, by the token of its connector; it acts as the system does."""
        request.update_env(user=SUPERUSER_ID)
        request.contact_center_connector = cls._contact_center_find_connector()

    @classmethod
    def _contact_center_find_connector(cls):
        connectors = request.env["contact.center.connector"]
        given = request.httprequest.authorization
        kind = given.type if given else ""
        token = {"bearer": "token", "basic": "password"}.get(kind)
        connector = connectors._find_by_token((token and getattr(given, token)) or "")
        if not connector or (kind == "basic" and given.username != connector.code):
            raise Problem(401, "unauthorized", "The token is not known.", headers=[CHALLENGE])
        if not connector.active:
            raise Problem(403, "forbidden", "The connector is archived in Odoo.")
        return connector

    # === WHAT IS READ OF A CALL === #

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Override of `base`: read the body as it came, and check its signature."""
        if rule.endpoint.routing.get("auth") == "contact_center":
            cls._contact_center_check_call(rule.endpoint.routing)
        return super()._pre_dispatch(rule, args)

    @classmethod
    def _contact_center_check_call(cls, routing):
        call = request.httprequest
        if call.method == "OPTIONS":  # comes with every route
            raise MethodNotAllowed(cls._contact_center_get_methods(call))
        body = cls._contact_center_read_body(call, routing["max_content_length"])
        secret = request.contact_center_connector.signing_secret
        fault = secret and signature.find_fault(secret, call.headers, body, time.time())
        if fault:
            detail = "The call is not signed as the connector demands."
            raise Problem(
                401, "invalid_signature", detail, [(fault, "It is not right.")], [CHALLENGE]
            )

    @classmethod
    def _contact_center_get_methods(cls, call):
        """What the address is asked with; each is a route of its own."""
        routes = request.env["ir.http"].routing_map().bind_to_environ(call.environ)
        return sorted({*routes.allowed_methods()} - {"OPTIONS"})

    @classmethod
    def _contact_center_read_body(cls, call, limit):
        """Read the body; one sent in chunks would be cut at the limit, and not refused."""
        call.max_content_length = limit
        body = call.get_data(cache=True, parse_form_data=False)
        if call.content_length is None and len(body) >= limit:
            raise RequestEntityTooLarge
        return body

    # === PROBLEMS === #

    @classmethod
    def _match(cls, path_info):
        """Override of `base`: an address or a method that is none is a problem like others."""
        try:
            return super()._match(path_info)
        except (MethodNotAllowed, NotFound) as error:
            if not cls._contact_center_is_ours(path_info):
                raise
            problem = Problem.of(error)
            problem.error_response = cls._contact_center_answer_problem(problem)
            raise problem from error

    @classmethod
    def _handle_error(cls, exception):
        """Override of `base`: the exchange is told in its own form."""
        if not cls._contact_center_is_ours(request.httprequest.path):
            return super()._handle_error(exception)
        problem = Problem.of(exception, cls._contact_center_get_status(exception))
        return cls._contact_center_answer_problem(problem)

    @classmethod
    def _contact_center_is_ours(cls, path):
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    @classmethod
    def _contact_center_get_status(cls, exception):
        """The status of an exception of Odoo, or of one after which it is best to try again."""
        if isinstance(exception, OperationalError | ConcurrencyError):
            return 503
        return getattr(exception, "http_status", 500)

    @classmethod
    def _contact_center_answer_problem(cls, problem):
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store"), *problem.headers]
        return request.make_json_response(problem.to_dict(), headers, status=problem.code)
