import HubDriver
import HubModel

/// One line of the process's standard output: an answer as JSON-RPC 2.0 has it.
struct Response: Sendable {
    var id: Int64
    var result: Result<Value, DriverError>

    /// Why a line is no answer.
    struct Unreadable: Error {
        var reason: String
    }

    /// Codes of errors that the process answers with, besides those of JSON-RPC itself.
    static let codes: [Int64: DriverError.Code] = [
        -32001: .unreachable, -32002: .noAnswer, -32003: .unauthorised, -32004: .configuration, -32005: .protocolViolation,
        // The driver did not understand the call: it and the hub do not speak the same protocol.
        -32700: .protocolViolation, -32600: .protocolViolation, -32601: .protocolViolation, -32602: .protocolViolation,
    ]

    init(_ line: [UInt8]) throws(Unreadable) {
        let value: Value
        do throws(JSONTextError) { value = try JSONText.value(line, maxBytes: line.count) } catch {
            throw Unreadable(reason: "it is no JSON: \(error.reason)")
        }
        guard case .object(let fields) = value else { throw Unreadable(reason: "it is no JSON object") }
        guard fields["jsonrpc"]?.text == "2.0" else { throw Unreadable(reason: "\"jsonrpc\": \"2.0\" is missing") }
        if let method = fields["method"]?.text { throw Unreadable(reason: "it is a call of \(method), and the hub answers no calls") }
        let error = fields["error"]?.object
        guard let id = fields["id"]?.integer else {
            if let text = error?["message"]?.text { throw Unreadable(reason: "the process could not read a call: \(text)") }
            throw Unreadable(reason: "it has no id that is a whole number")
        }
        self.id = id
        switch (fields["result"], error) {
        case (let result?, nil) where fields["error"] == nil: self.result = .success(result)
        case (nil, let error?):
            guard let code = error["code"]?.integer else { throw Unreadable(reason: "its error has no code") }
            let text = error["message"]?.text ?? "the driver gave no reason"
            // Whatever else went wrong inside the process went wrong at an unknown place of the call.
            result = .failure(DriverError(Self.codes[code] ?? .noAnswer, excerpt(text.utf8, 2_000)))
        default: throw Unreadable(reason: "it needs exactly one of result and error")
        }
    }
}
