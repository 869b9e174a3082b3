import ArgumentParser
import Foundation
import HubConfiguration
import HubDriver
import HubModel

/// A driver by its name and settings, or an application's by its configuration.
struct DriverChoice: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions

    @Option(
        help: """
            A setting of the driver, name=value; may be repeated. Command lines are seen by others: of a secret say where it is, \
            name=env:VARIABLE or name=file:PATH.
            """)
    var set: [String] = []

    @Argument(help: "The driver's name, or with --config the application's.")
    var name: String

    /// The driver's factory, its settings, and with --config the manifest within the limits configured.
    struct Chosen {
        var factory: any DriverFactory.Type
        var settings: DriverSettings
        var limited: Manifest?

        func make() throws(CommandFailure) -> any Driver {
            do throws(DriverError) {
                return try factory.make(settings)
            } catch {
                let needed = factory.settings.map { "  \($0.name)\($0.isRequired ? " (required)" : ""): \($0.help)" }
                throw CommandFailure(.wrong, ([error.message, "settings, each by --set name=value:"] + needed).joined(separator: "\n"))
            }
        }
    }

    /// - Parameter needsSecrets: otherwise secrets of a configuration that cannot be read do not matter.
    func chosen(needsSecrets: Bool) async throws(CommandFailure) -> Chosen {
        guard let config = configuration.config else {
            guard let factory = DriverCatalog.all.first(where: { $0.name == name }) else {
                let names = DriverCatalog.all.map { $0.name }.joined(separator: ", ")
                throw CommandFailure(.wrong, "there is no driver \(name); there are \(names). Applications need --config.")
            }
            return Chosen(
                factory: factory, settings: DriverSettings(application: ApplicationID(name), values: try values(factory)), limited: nil)
        }
        guard set.isEmpty else { throw CommandFailure(.wrong, "--set belongs to a driver; with --config the settings stand there.") }
        let loaded = needsSecrets ? try configuration.load() : try configuration.loadWithoutSecrets()
        await loaded.closeDrivers()
        guard let application = loaded.applications.first(where: { $0.id.rawValue == name }) else {
            let names = loaded.applications.map(\.id.rawValue).joined(separator: ", ")
            throw CommandFailure(.wrong, "\(config) has no application \(name); it has \(names).")
        }
        return Chosen(factory: application.factory, settings: application.settings, limited: application.manifest)
    }

    /// The value itself, or that of the variable or file that it names. An address such as `file:///…` is a value.
    private static func resolved(_ value: String, _ name: String) throws(CommandFailure) -> String {
        if value.hasPrefix("env:") {
            let variable = String(value.dropFirst("env:".count))
            guard let found = ProcessInfo.processInfo.environment[variable] else {
                throw CommandFailure(.wrong, "--set \(name)=\(value): the environment has no variable \(variable)")
            }
            return found
        }
        guard value.hasPrefix("file:"), !value.hasPrefix("file://") else { return value }
        let path = String(value.dropFirst("file:".count))
        guard let data = FileManager.default.contents(atPath: path), var text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.wrong, "--set \(name)=\(value): \(path) cannot be read, or is not UTF-8")
        }
        // Editors end a file with a line break; no secret ends with one.
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }

    private func values(_ factory: any DriverFactory.Type) throws(CommandFailure) -> [String: String] {
        var values: [String: String] = [:]
        for text in set {
            let name = text.firstIndex(of: "=").map { String(text[..<$0]) } ?? ""
            let known = factory.settings.first { $0.name == name }
            guard !name.isEmpty, known != nil || factory.acceptsOtherSettings else {
                throw CommandFailure(.wrong, "\(text) is not a setting of \(factory.name) with its value")
            }
            let value = try Self.resolved(String(text.dropFirst(name.count + 1)), name)
            values[name] = known?.isPath == true ? URL(fileURLWithPath: value).standardizedFileURL.path : value
        }
        return values
    }
}
