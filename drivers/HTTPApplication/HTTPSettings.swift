package import HubDriver

/// How an application is reached over HTTP.
package struct HTTPSettings: Sendable, Hashable {
    /// Scheme, host, port and path without a slash at the end: `https://erp.example/tryton`.
    package var base: String
    /// Connections at once; further calls wait for one.
    package var connections: Int
    /// An answer longer than this, after decompression, is refused. In bytes.
    package var maxAnswer: Int
    /// How long a connection may take to be made, its TLS handshake included.
    package var connectTime: Duration
    /// After this time an unused connection is closed; keep it below the server's own time, which ends in a call without an answer.
    package var idleTime: Duration
    /// A PEM file with the certificate authorities that are trusted besides none; nil: the system's.
    package var authorities: String?

    /// - Throws: ``HubDriver/DriverError`` where `url` is no http or https address.
    package init(
        url: String, connections: Int = 8, maxAnswer: Int = 32 << 20, connectTime: Duration = .seconds(5),
        idleTime: Duration = .seconds(10), authorities: String? = nil
    ) throws(DriverError) {
        base = try Self.checked(url)
        self.connections = max(1, connections)
        self.maxAnswer = max(1, maxAnswer)
        self.connectTime = connectTime
        self.idleTime = idleTime
        self.authorities = authorities
    }

    private static func checked(_ url: String) throws(DriverError) -> String {
        let text = url.hasSuffix("/") ? String(url.dropLast()) : url
        let rest = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }.map { text.dropFirst($0.count) }
        guard let rest, let host = rest.split(separator: "/", omittingEmptySubsequences: false).first, !host.isEmpty else {
            throw DriverError(.configuration, "\(url) is no address of the form https://host:port/path.")
        }
        if host.contains("@") {
            throw DriverError(.configuration, "An address holds no user and no password: these are settings of their own.")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("?"), !text.contains("#") else {
            throw DriverError(.configuration, "\(url) holds characters that an address cannot have, or a query.")
        }
        return text
    }
}
