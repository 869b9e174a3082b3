import Foundation
package import HubDriver
import HubModel
import Logging

/// Makes the driver `process`: a driver in any language, in a process of its own (see `drivers/PROTOCOL.md`).
package enum ProcessFactory: DriverFactory {
    package static let name = "process"

    package static let settings = [
        SettingDescription("folder", "the driver's folder: where it is started, with its mappings/ and schemas/", isPath: true),
        SettingDescription("command", "the program and its arguments; counted from the folder (./driver)"),
        SettingDescription("environment", "names of environment variables that the process may see, separated by spaces"),
        SettingDescription("mappings", "the folder of its mappings, where that is not mappings/ in its own", isPath: true),
        SettingDescription("startMilliseconds", "from its start to its description (10000)"),
    ]

    package static let acceptsOtherSettings = true

    package static let mappings: [BuiltinMapping] = []

    /// What every process sees of the hub's environment: nothing that could be a secret.
    static let plainVariables = ["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]

    /// Starts the process, since only it can say what the manifest is, and waits for its description; it touches no network by itself, and
    /// the protocol forbids the process to do so before it is asked for more.
    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        try make(settings, environment: ProcessInfo.processInfo.environment)
    }

    static func make(_ settings: DriverSettings, environment: [String: String]) throws(DriverError) -> any Driver {
        let launch = try launch(settings, environment: environment)
        return try SupervisedProcess(launch, logger: Logger(label: "multipoint.driver")).driver()
    }

    static func launch(_ settings: DriverSettings, environment: [String: String]) throws(DriverError) -> Launch {
        let values = settings.values
        guard values["folder"] != nil || values["command"] != nil else {
            throw DriverError(.configuration, "\(settings.application) needs a folder or a command: where the driver's process comes from.")
        }
        guard let command = CommandWords.words(values["command"] ?? "./driver"), !command.isEmpty else {
            throw DriverError(.configuration, "\(settings.application): the command \(values["command"] ?? "") cannot be read as words.")
        }
        let names = (values["environment"] ?? "").split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)
        if let missing = names.first(where: { environment[$0] == nil }) {
            throw DriverError(
                .configuration, "\(settings.application): the environment has no variable \(missing), which the process is to see.")
        }
        let own = Set(Self.settings.map(\.name))
        var launch = Launch(
            application: settings.application.rawValue, command: command,
            environment: environment.filter { names.contains($0.key) || plainVariables.contains($0.key) }, folder: values["folder"],
            settings: values.filter { !own.contains($0.key) },
            companies: Dictionary(uniqueKeysWithValues: settings.companies.map { ($0.key.rawValue, $0.value) }))
        if let text = values["startMilliseconds"] {
            guard let milliseconds = Int64(text), milliseconds > 0 else {
                throw DriverError(
                    .configuration, "\(settings.application): startMilliseconds has to be a whole number of milliseconds.")
            }
            launch.bounds.start = .milliseconds(milliseconds)
        }
        return launch
    }

    /// The mappings in the driver's folder, one YAML file per entity.
    package static func mappings(_ settings: DriverSettings) throws(DriverError) -> [BuiltinMapping] {
        let named = settings.values["mappings"]
        guard let folder = named ?? settings.values["folder"].map({ $0 + "/mappings" }) else { return [] }
        if let mappings = try BuiltinMapping.all(inFolder: folder) { return mappings }
        guard named != nil else { return [] }
        throw DriverError(.configuration, "there is no folder \(folder)")
    }

    /// The JSON Schema of a native type in the driver's folder: `schemas/<native type>.schema.json`.
    package static func schema(native: String, _ settings: DriverSettings) -> [UInt8]? {
        guard let folder = settings.values["folder"], !native.contains("/") else { return nil }
        return FileManager.default.contents(atPath: "\(folder)/schemas/\(native).schema.json").map { Array($0) }
    }
}
