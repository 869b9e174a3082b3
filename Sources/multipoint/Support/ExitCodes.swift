import ArgumentParser
import HubBus
import HubConfiguration
import HubStore

extension ExitCode {
    /// What was asked about is not well: an application cannot be reached, a request was refused.
    static let notWell = ExitCode(1)
    /// Wrong usage, configuration or input.
    static let wrong = ExitCode(2)
    /// The bus or the store cannot be reached.
    static let unreachable = ExitCode(3)
}

/// Why a command ends without having done its work, and with which exit code.
struct CommandFailure: Error {
    var code: ExitCode
    var text: String

    init(_ code: ExitCode, _ text: String) {
        self.code = code
        self.text = text
    }

    init(_ error: BusError) { self.init(error.code == .configuration ? .wrong : .unreachable, "the bus: \(error.message)") }

    init(_ error: StoreError) {
        if let refusal = error.cause as? OperatorRefusal {
            self.init(.notWell, refusal.description)
        } else if let failure = error.cause as? CommandFailure {
            self = failure
        } else {
            self.init(.unreachable, "the store: \(error.message)")
        }
    }
}
