package import HubModel

/// The hub's own HTTP listener: questions, events of publishers without Kafka, web hooks.
package struct HTTPSettings: Sendable {
    /// An address of this machine; the loopback one unless the configuration says otherwise.
    package var host: String
    /// 0: any that is free.
    package var port: Int
    /// Longest body of a request, in bytes.
    package var bodyBytes: Int
    /// Connections at once; more wait to be accepted.
    package var connections: Int
    package var tokens: [Token]

    package static let loopback = "127.0.0.1"

    package init(host: String = HTTPSettings.loopback, port: Int, bodyBytes: Int = 1 << 20, connections: Int = 128, tokens: [Token]) {
        self.host = host
        self.port = port
        self.bodyBytes = bodyBytes
        self.connections = connections
        self.tokens = tokens
    }

    /// Who may do what.
    package struct Token: Sendable, Hashable {
        /// What the log calls whoever has it.
        package var name: String
        package var secret: String
        /// Whose events and web hooks it may post; nil: nobody's.
        package var publish: ApplicationID?
        /// Whose web hooks it may post, also with the token in the address; nil: nobody's.
        package var hook: ApplicationID?
        /// Which applications it may ask.
        package var ask: Set<ApplicationID>

        package init(
            name: String, secret: String, publish: ApplicationID? = nil, hook: ApplicationID? = nil, ask: Set<ApplicationID> = []
        ) {
            self.name = name
            self.secret = secret
            self.publish = publish
            self.hook = hook
            self.ask = ask
        }
    }
}
