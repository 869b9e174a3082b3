import HubDriver
package import HubModel

/// One request to an application.
package struct HTTPCall: Sendable, Hashable {
    package var method: String
    /// Laid behind the base address as it is, percent-encoded already; begins with a slash, or is empty.
    package var path: String
    package var headers: [Header]
    /// Nil: the request has no body.
    package var body: [UInt8]?
    /// From the call to the last byte of the answer.
    package var time: Duration

    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        /// In any case of letters, of which the names of headers have the plain 26 only.
        package func isNamed(_ other: String) -> Bool {
            func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
            return name.utf8.elementsEqual(other.utf8) { folded($0) == folded($1) }
        }
    }

    package init(_ method: String, _ path: String, headers: [Header] = [], body: [UInt8]? = nil, time: Duration) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.time = time
    }

    /// A POST of JSON.
    package static func post(_ path: String, json: Value, headers: [Header] = [], time: Duration) -> HTTPCall {
        HTTPCall(
            "POST", path, headers: [Header("Content-Type", "application/json"), Header("Accept", "application/json")] + headers,
            body: JSONText.bytes(json), time: time)
    }

    /// A GET of JSON.
    package static func get(_ path: String, headers: [Header] = [], time: Duration) -> HTTPCall {
        HTTPCall("GET", path, headers: [Header("Accept", "application/json")] + headers, time: time)
    }

    /// Text as part of a path or query: everything but RFC 3986's unreserved characters percent-encoded.
    package static func encoded(_ text: String) -> String {
        if text.utf8.allSatisfy(isUnreserved) { return text }
        var result = ""
        for byte in text.utf8 {
            if isUnreserved(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    /// ``encoded(_:)`` undone; what is no encoding stays.
    package static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
