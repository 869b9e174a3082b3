/// Why a driver could not do what it was asked, for all of the call.
public struct DriverError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure; more may come.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public var description: String
        /// The application cannot be reached or is not ready; the call had no effect.
        public static let unreachable = Code(description: "unreachable")
        /// No answer came in time; the call may have taken effect.
        public static let noAnswer = Code(description: "no-answer")
        /// The application refuses who we are; people have to mend it.
        public static let unauthorised = Code(description: "unauthorised")
        /// The driver was configured wrongly.
        public static let configuration = Code(description: "configuration")
        /// The application answered what its own interface does not allow.
        public static let protocolViolation = Code(description: "protocol-violation")
    }

    public var code: Code
    /// For the person who reads it: what was tried, what came back, what to do.
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { "\(message) (\(code))" }
}
