import HubDriver

/// How a driver's process is started and what it is told of the application: everything that a line of configuration says.
struct Launch: Sendable {
    var application: String
    var command: [String]
    /// All of it.
    var environment: [String: String]
    /// Where it starts; nil: where the hub did.
    var folder: String?
    /// Settings that are the driver's own.
    var settings: [String: String]
    /// Canonical company → the application's own name of it.
    var companies: [String: String]
    var bounds = Bounds()

    struct Bounds: Sendable {
        /// A line on standard output.
        var lineBytes = 32 << 20
        /// A line on standard error; the rest of a longer one is left out of the log.
        var errorLineBytes = 4 << 10
        /// Lines on standard error that reach the log, in a minute.
        var errorLines = 600
        /// From the start to the description.
        var start: Duration = .seconds(10)
        /// For calls under way at the end, from the end of its input to SIGTERM, and from there to SIGKILL; each.
        var grace: Duration = .seconds(2)
        var restarts = Restarts()
        var calls = CallTable.Bounds()
    }
}
