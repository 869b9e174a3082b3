import HTTPApplication
import HubModel
import Testing

@testable import Odoo

/// What Odoo 19 answered on the wire, and what it means.
@Suite struct AnswerTests {
    private func failure(_ status: Int, _ body: String, headers: [HTTPCall.Header] = []) -> OdooFailure? {
        do throws(OdooFailure) {
            _ = try OdooClient.result(of: HTTPReply(status: status, headers: headers, body: Array(body.utf8)), "res.partner.write")
            return nil
        } catch { return error }
    }

    private func rejection(_ status: Int, _ name: String, _ message: String) throws -> Rejection {
        let body = #"{"name":"\#(name)","message":"\#(message)","arguments":[],"context":{}}"#
        guard case .refused(let refusal) = failure(status, body) else { throw Unexpected(body) }
        return refusal.rejection
    }

    @Test func refusalsHaveStableRules() throws {
        let cases: [(Int, String, String, rule: String, field: String?)] = [
            (422, "odoo.exceptions.ValidationError", "The operation cannot be completed: Contacts require a name", "missing-field", nil),
            (
                422, "odoo.exceptions.ValidationError",
                "The operation cannot be completed: Missing required value for the field 'Customer' (partner_id).", "missing-field",
                "partner_id"
            ),
            (422, "odoo.exceptions.UserError", "You can not delete a sent quotation or a confirmed sales order.", "confirmed-order", nil),
            (422, "odoo.exceptions.UserError", "Something of a module's own.", "refused", nil),
            (422, "odoo.exceptions.ValidationError", "Something of a module's own.", "validation", nil),
            (403, "odoo.exceptions.AccessError", "You are not allowed to modify 'Contact' (res.partner) records.", "access", nil),
            (404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.", "unknown-reference", nil),
            (500, "builtins.KeyError", "nofield", "unknown-field", "nofield"),
            (500, "builtins.ValueError", "Invalid field name 'nofld'", "unknown-field", "nofld"),
            (500, "builtins.ValueError", "A string literal cannot contain NUL (0x00) characters.", "invalid-text", nil),
            (500, "psycopg2.errors.ProgramLimitExceeded", "index row requires 12024 bytes", "invalid-value", nil),
            (500, "builtins.ZeroDivisionError", "division by zero", "server-error", nil),
        ]
        for (status, name, message, rule, field) in cases {
            let rejection = try rejection(status, name, message)
            #expect(rejection.rule == rule, "\(message)")
            if field != nil || rule == "missing-field" && message.contains("require a name") {
                #expect(rejection.field == field, "\(message)")
            }
            #expect(OdooRefusal.rules.contains(rejection.rule))
            #expect(rejection.text == message)
        }
    }

    @Test func peopleReadTheFirstArgument() {
        let body =
            #"{"name":"odoo.exceptions.RedirectWarning","message":"Archive the user first.\n{'type': 'x'}","arguments":["Archive the user first.",{"type":"x"}]}"#
        guard case .refused(let refusal) = failure(500, body) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.rejection == Rejection(rule: "refused", text: "Archive the user first."))
    }

    @Test func failuresAreToldApart() {
        let invalidKey = #"{"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey"}"#
        if case .unauthorised = failure(401, invalidKey) {} else { Issue.record("401") }
        let serialization = #"{"name":"psycopg2.errors.SerializationFailure","message":"could not serialize access"}"#
        if case .busy = failure(500, serialization) {} else { Issue.record("serialization") }
        if case .busy(let after, _) = failure(429, "slow down", headers: [.init("Retry-After", "7")]) {
            #expect(after == .seconds(7))
        } else {
            Issue.record("429")
        }
        if case .noAnswer = failure(502, "<html>bad gateway</html>") {} else { Issue.record("502") }
        if case .unusable = failure(200, "<html>hello</html>") {} else { Issue.record("200 without JSON") }
        if case .unusable = failure(303, "") {} else { Issue.record("303") }
        #expect(failure(200, "true") == nil)
    }

    @Test func afterAnEffectNothingIsCalledUndone() {
        let refusal = OdooRefusal(status: 422, name: "odoo.exceptions.UserError", message: "no")
        let failures: [OdooFailure] = [
            .unreachable("x"), .busy(after: .seconds(1), "x"), .unauthorised("x"), .refused(refusal), .noAnswer("x"),
        ]
        for failure in failures {
            guard case .noAnswer = Progress(hasEffect: true).answer(.odoo(failure)) else {
                Issue.record("\(failure)")
                continue
            }
        }
        #expect(Progress().answer(.odoo(.unreachable("x"))) == nil)
        #expect(Progress().answer(.odoo(.refused(refusal)))?.rule == "refused")
    }
}
