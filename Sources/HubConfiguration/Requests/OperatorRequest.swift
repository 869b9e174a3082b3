import FoundationEssentials
package import HubModel

/// What a person asks of the hub's store: the same whether a running hub carries it out or the command line does.
package struct OperatorRequest: Sendable, Hashable {
    package enum Command: Sendable, Hashable {
        /// Nothing is sent to the application until ``resume(_:)``.
        case pause(ApplicationID)
        case resume(ApplicationID)
        /// A person's yes to a delivery that waits for one.
        case approve(Target)
        /// Tries again at once what waits or was refused.
        case release(Target)
        /// Works a dead letter again.
        case replay(Int64)
        /// Looks at the application again and holds back, or lets go, what that touches. Of a running hub only.
        case discover(ApplicationID)
        /// Reads the configuration again. Of a running hub only.
        case reload
    }

    /// Unique, and in order of time: names the request's files.
    package var id: String
    package var command: Command

    package init(_ command: Command, id: String = OperatorRequest.newID()) {
        self.id = id
        self.command = command
    }

    /// Milliseconds since 1970 and a random part.
    package static func newID() -> String {
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000)
        return "\(milliseconds)-" + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}

extension OperatorRequest {
    /// `{"id":"…","command":"approve","arguments":["erp","fr","order-1-7"]}`
    package var value: Value {
        ["id": .string(id), "command": .string(name), "arguments": .array(arguments.map { .string($0) })]
    }

    private var name: String {
        switch command {
        case .pause: "pause"
        case .resume: "resume"
        case .approve: "approve"
        case .release: "release"
        case .replay: "replay"
        case .discover: "discover"
        case .reload: "reload"
        }
    }

    private var arguments: [String] {
        switch command {
        case .pause(let application), .resume(let application), .discover(let application): [application.rawValue]
        case .reload: []
        case .approve(let target), .release(let target):
            [target.application.rawValue, target.company.rawValue, target.id.rawValue]
        case .replay(let letter): [String(letter)]
        }
    }

    /// nil where the value is no request.
    package init?(_ value: Value) {
        guard let id = value["id"]?.text, let name = value["command"]?.text, let elements = value["arguments"]?.array else { return nil }
        let arguments = elements.compactMap(\.text)
        guard arguments.count == elements.count else { return nil }
        switch (name, arguments.count) {
        case ("pause", 1): self.init(.pause(ApplicationID(arguments[0])), id: id)
        case ("resume", 1): self.init(.resume(ApplicationID(arguments[0])), id: id)
        case ("discover", 1): self.init(.discover(ApplicationID(arguments[0])), id: id)
        case ("reload", 0): self.init(.reload, id: id)
        case ("approve", 3): self.init(.approve(Self.target(arguments)), id: id)
        case ("release", 3): self.init(.release(Self.target(arguments)), id: id)
        case ("replay", 1):
            guard let letter = Int64(arguments[0]) else { return nil }
            self.init(.replay(letter), id: id)
        default: return nil
        }
    }

    private static func target(_ arguments: [String]) -> Target {
        Target(ApplicationID(arguments[0]), CompanyID(arguments[1]), CanonicalID(arguments[2]))
    }
}
