public import HubModel

/// How the hub makes a driver from a line of configuration.
public protocol DriverFactory: Sendable {
    /// The name that configurations use: `reference-erp`.
    static var name: String { get }
    /// The settings that an application with this driver may have, besides `driver` and `companies`.
    static var settings: [SettingDescription] { get }
    /// Ready-made mappings, one YAML document per canonical type.
    static var mappings: [BuiltinMapping] { get }
    /// Makes the driver; touches no network.
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver

    /// An application may have settings besides ``settings``, which the driver alone understands.
    static var acceptsOtherSettings: Bool { get }
    /// Ready-made mappings where they depend on the settings: those of a folder, say.
    static func mappings(_ settings: DriverSettings) throws(DriverError) -> [BuiltinMapping]
    /// The JSON Schema of a native type where it depends on the settings; nil where there is none.
    static func schema(native: String, _ settings: DriverSettings) -> [UInt8]?
    /// How the application's tables say which of its documents have changed; nil where nobody knows that but the user.
    static func signal(_ settings: DriverSettings) throws(DriverError) -> SignalMap?
}

extension DriverFactory {
    public static var acceptsOtherSettings: Bool { false }
    public static func mappings(_ settings: DriverSettings) throws(DriverError) -> [BuiltinMapping] { mappings }
    public static func schema(native: String, _ settings: DriverSettings) -> [UInt8]? { nil }
    public static func signal(_ settings: DriverSettings) throws(DriverError) -> SignalMap? { nil }
}

/// One setting of a driver.
public struct SettingDescription: Sendable {
    public var name: String
    /// For the person who writes the configuration.
    public var help: String
    public var isRequired: Bool
    /// Comes as `{ file: … }` or `{ env: … }` only.
    public var isSecret: Bool
    /// Names a file or folder: counted from the folder of the configuration file, given to the driver as an absolute path.
    public var isPath: Bool

    public init(_ name: String, _ help: String, isRequired: Bool = false, isSecret: Bool = false, isPath: Bool = false) {
        self.name = name
        self.help = help
        self.isRequired = isRequired
        self.isSecret = isSecret
        self.isPath = isPath
    }
}

/// A mapping that a driver brings, as the YAML text of its file.
public struct BuiltinMapping: Sendable {
    public var fileName: String
    public var text: String
    /// Where it was read, absolute: mistakes in it are shown there. nil where it is part of the driver's program.
    public var path: String?

    public init(fileName: String, text: String, path: String? = nil) {
        self.fileName = fileName
        self.text = text
        self.path = path
    }
}

/// An application's settings, secrets resolved and paths absolute.
public struct DriverSettings: Sendable {
    public var application: ApplicationID
    public var values: [String: String]
    /// Canonical company → the application's own name of it.
    public var companies: [CompanyID: String]

    public init(application: ApplicationID, values: [String: String], companies: [CompanyID: String] = [:]) {
        self.application = application
        self.values = values
        self.companies = companies
    }

    /// nil where the setting is not given, or empty.
    public func text(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The text of a setting that has to be given.
    public func required(_ name: String) throws(DriverError) -> String {
        guard let text = text(name) else { throw DriverError(.configuration, "\(application) needs the setting \(name).") }
        return text
    }

    /// A whole number within that range.
    /// - Parameter standard: what counts where it is not given.
    public func number(_ name: String, _ standard: Int, _ range: ClosedRange<Int>) throws(DriverError) -> Int {
        guard let text = text(name) else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw DriverError(
                .configuration,
                "\(application): \(name) has to be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text).")
        }
        return value
    }
}
