import ArgumentParser
import DriverTemplates
import Foundation

extension DriverCommand {
    /// `multipoint driver new NAME --language swift|python`
    struct New: ParsableCommand {
        enum Language: String, ExpressibleByArgument, CaseIterable {
            case swift, python
        }

        static let configuration = CommandConfiguration(
            abstract: "Writes a driver that runs as it is, on a stand-in for its application, and says how to go on.",
            discussion: """
                In Python it becomes a folder of its own, which needs nothing but Python; in Swift it becomes a part of this repository, \
                named in Package.swift and DriverCatalog.swift.

                  multipoint driver new my-shop --language python
                  multipoint driver new my-shop --language swift --folder ~/multipoint
                """)

        @Argument(help: "As configurations will name it: letters, digits and dashes.")
        var name: String

        @Option(help: "swift or python.")
        var language: Language

        @Option(
            help: "Python: the new driver's folder (default: its name). Swift: the repository's (default: here).", completion: .directory)
        var folder: String?

        func run() throws {
            guard let templates = DriverTemplates(name: name) else {
                throw CommandFailure(.wrong, "\"\(name)\" cannot be a driver's name: use letters, digits and dashes, a letter first")
            }
            switch language {
            case .python: try writePython(templates)
            case .swift: try writeSwift(templates)
            }
        }

        private func writePython(_ templates: DriverTemplates) throws(CommandFailure) {
            let folder = folder ?? name
            try Self.write(templates.python, in: folder)
            Output.line(
                """
                \(folder) holds a driver that runs as it is, on documents in a SQLite file. Next:

                  multipoint driver describe process --set folder=\(folder) --set file=\(name).db
                  multipoint driver test process --set folder=\(folder) --set file=\(name).db
                  multipoint check --config \(folder)/hub.yaml --live

                Then put your application in the stand-in's place in \(folder)/driver, one method after the other, and test again. With
                an application behind an address, let the tests make faults on the way: --proxy SETTING, the one that holds the address.
                The protocol: drivers/PROTOCOL.md; a whole example: drivers/examples/python.
                """)
        }

        private func writeSwift(_ templates: DriverTemplates) throws(CommandFailure) {
            let root = folder ?? "."
            guard FileManager.default.fileExists(atPath: root + "/Sources/multipoint/DriverCatalog.swift") else {
                throw CommandFailure(.wrong, "\(root) is not the repository of multipoint: go there, or name it with --folder")
            }
            try Self.write(templates.swift, in: root)
            let type = templates.type
            let places = [
                RegistryPlace(
                    file: "Package.swift", after: "let drivers: ", line: "    (\"\(type)\", [\"\(name)-customer\"], []),"),
                RegistryPlace(
                    file: "Package.swift", after: "            tests(\"HubModelTests\"",
                    line: "            tests(\"\(type)Tests\", [\"\(type)\", \"HubTestKit\", \"HubDriver\", \"HubModel\"]),"),
                RegistryPlace(file: "Sources/multipoint/DriverCatalog.swift", after: "import HubDriver", line: "import \(type)"),
                RegistryPlace(
                    file: "Sources/multipoint/DriverCatalog.swift", after: "    static let all", line: "        \(type)Factory.self,"),
            ]
            for place in places {
                if try place.insert(in: root) { continue }
                Output.line("put into \(place.file) by hand, after the line \"\(place.after)…\": \(place.line)")
            }
            Output.line(
                """
                drivers/\(type) holds a driver that runs as it is, on documents in memory; Package.swift and DriverCatalog.swift name it. \
                Next:

                  swift build
                  swift test --filter \(type)Tests
                  .build/debug/multipoint driver describe \(name)

                Then put your application in the stand-in's place, one method after the other, with a TCPProxy of HubTestKit before its
                address in Tests/\(type)Tests. See "A driver in an afternoon" in CONTRIBUTING.md.
                """)
        }

        private static func write(_ files: [DriverTemplates.File], in folder: String) throws(CommandFailure) {
            for file in files where FileManager.default.fileExists(atPath: "\(folder)/\(file.path)") {
                throw CommandFailure(.wrong, "\(folder)/\(file.path) is there already; nothing was written")
            }
            do {
                for file in files {
                    let place = URL(fileURLWithPath: "\(folder)/\(file.path)")
                    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                    try Data(file.text.utf8).write(to: place)
                    if file.isExecutable {
                        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path)
                    }
                }
            } catch {
                throw CommandFailure(.wrong, "\(folder) cannot be written: \(error.localizedDescription)")
            }
        }
    }

    /// A line that a new driver needs in a file of the repository.
    struct RegistryPlace {
        var file: String
        /// How the line begins behind which it belongs.
        var after: String
        var line: String

        /// - Returns: false where the place was not found.
        func insert(in root: String) throws(CommandFailure) -> Bool {
            let path = "\(root)/\(file)"
            guard let data = FileManager.default.contents(atPath: path) else { return false }
            var lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            guard let index = lines.firstIndex(where: { $0.hasPrefix(after) }) else { return false }
            lines.insert(line, at: index + 1)
            do {
                try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
            } catch {
                throw CommandFailure(.wrong, "\(path) cannot be written: \(error.localizedDescription)")
            }
            return true
        }
    }
}
