import Foundation
import Testing

@Suite("multipoint driver new --language swift")
struct SwiftTemplateTests {
    /// Where the compiler is; nil: tests run where nobody could build a driver either.
    private static let compiler = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swiftc" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The folder with what the package's targets were built into.
    private static let build = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path

    /// As Package.swift has it.
    private static let settings =
        [
            "-swift-version", "6", "-enable-upcoming-feature", "ExistentialAny", "-enable-upcoming-feature", "InternalImportsByDefault",
            "-enable-upcoming-feature", "MemberImportVisibility", "-warnings-as-errors", "-package-name", "multipoint", "-Onone",
            "-enable-testing",
            "-parse-as-library", "-I", build + "/Modules",
        ] + checkouts.flatMap { ["-I", $0 + "/Yams/Sources/CYaml/include"] }

    /// Where the package manager keeps other packages: the C headers that their modules need. At most one.
    private static let checkouts: [String] = {
        var folder = URL(fileURLWithPath: build).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let place = folder.appendingPathComponent("checkouts").path
            if FileManager.default.fileExists(atPath: place) { return [place] }
        }
        return []
    }()

    /// What the package manager writes beside a target with that resource, and beside a test.
    private static let resources = "struct PackageResources { static let my_shop_customer_yaml: [UInt8] = [] }\n"
    private static let runner = """
        import Testing

        @main struct Runner {
            static func main() async { await Testing.__swiftPMEntryPoint() as Never }
        }

        """

    private struct Failed: Error {
        var words: String
    }

    /// Runs a program in the fake repository; throws what it says where it fails.
    @discardableResult
    private func run(_ program: Program, _ path: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: program.folder)
        try program.write("words", "")
        let words = FileHandle(forWritingAtPath: program.folder + "/words")
        process.standardOutput = words
        process.standardError = words
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(words: program.text("words")) }
        return program.text("words")
    }

    private func sources(_ program: Program, _ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(program.folder)/\(folder)").filter { $0.hasSuffix(".swift") }
            .map { "\(folder)/\($0)" }
    }

    /// The object files of targets that are built already.
    private func objects(_ targets: [String]) -> [String] {
        targets.flatMap { target in
            let folder = "\(Self.build)/\(target).build"
            let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
            return names.filter { $0.hasSuffix(".o") && !$0.hasSuffix(".swiftmodule.o") }.map { "\(folder)/\($0)" }
        }
    }

    @Test(
        "what it writes compiles without a warning under the package's settings, and passes its own test",
        .enabled(if: compiler != nil, "skipped: there is no swiftc"), .timeLimit(.minutes(3)))
    func compiles() throws {
        let swiftc = try #require(Self.compiler)
        let program = try Program(files: [
            "Package.swift": "let drivers: [(…)] = [\n]\n            tests(\"HubModelTests\", []),\n",
            "Sources/multipoint/DriverCatalog.swift": "import HubDriver\n\nenum DriverCatalog {\n    static let all: [x] = [\n    ]\n}\n",
            "Resources.swift": Self.resources, "Runner.swift": Self.runner,
        ])
        #expect(try program.run("driver", "new", "my-shop", "--language", "swift").code == 0)
        let begun = ContinuousClock.now
        let module = ["-module-name", "MyShop", "-emit-module", "-emit-module-path", "MyShop.swiftmodule", "-wmo", "-c", "-o", "MyShop.o"]
        try run(program, swiftc, Self.settings + module + sources(program, "drivers/MyShop") + ["Resources.swift"])
        let linked = objects(["HubModel", "HubCodec", "HubDriver", "HubTestKit", "Yams", "CYaml"])
        let test = ["-module-name", "MyShopTests", "-I", ".", "-o", "trial", "Runner.swift", "MyShop.o"]
        try run(program, swiftc, Self.settings + test + sources(program, "Tests/MyShopTests") + linked)
        let told = try run(program, program.folder + "/trial", ["--testing-library", "swift-testing"])
        print("the driver's templates were compiled, linked and tried in \(ContinuousClock.now - begun)")
        #expect(told.contains("it is kept") && told.contains("Conformance of my-shop 0.1"), "\(told)")
    }
}
