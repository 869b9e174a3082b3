package import HubDriver
package import HubModel

/// What an application answered, whatever its status.
package struct HTTPReply: Sendable, Hashable {
    package var status: Int
    package var headers: [HTTPCall.Header]
    /// Decompressed.
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPCall.Header], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200...299).contains(status) }

    /// The first header of that name, in any case of letters.
    package func header(_ name: String) -> String? { headers.first { $0.isNamed(name) }?.value }

    /// The body as JSON.
    /// - Throws: ``HubDriver/DriverError`` with `protocolViolation`, as the application answered something else.
    package func json() throws(DriverError) -> Value {
        do { return try JSONText.value(body, maxBytes: max(1, body.count)) } catch {
            throw DriverError(.protocolViolation, "The answer (\(status)) is no JSON, \(error.reason): \(excerpt)", cause: error)
        }
    }

    /// The beginning of the body in one line, for messages.
    package var excerpt: String {
        let text = String(decoding: body.prefix(300), as: UTF8.self)
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return body.count > 300 ? line + "…" : line
    }

    /// How long the application asks to be left alone: with 429 and 503, as its `Retry-After` says or else `otherwise`; nil with any
    /// other status.
    package func retryAfter(now: Instant, otherwise: Duration = .seconds(1)) -> Duration? {
        guard status == 429 || status == 503 else { return nil }
        return header("Retry-After").flatMap { RetryAfter.duration($0, now: now) } ?? otherwise
    }
}
