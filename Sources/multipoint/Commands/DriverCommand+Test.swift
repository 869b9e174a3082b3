import ArgumentParser
import Foundation
import HubConfiguration
import HubDriver
import HubModel
import HubTestKit

extension DriverCommand {
    /// `multipoint driver test NAME`
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs the conformance kit with a driver on its live application. It leaves test documents there.",
            discussion: """
                NAME is a driver, made with the settings given, or, with --config, an application of that configuration. How documents are \
                made and changed says samples.json (see CONTRIBUTING.md), which lies in the folder of a driver `process`.

                  multipoint driver test process --set folder=my-shop --set file=my-shop.db
                  multipoint driver test process --set folder=drivers/shop --set url=http://127.0.0.1:8085 --proxy url
                  multipoint driver test --config hub.yaml shop --samples samples.json --check rules --check paging
                """)

        @OptionGroup var choice: DriverChoice
        @OptionGroup var logging: LoggingOptions

        @Option(help: "How documents are made and changed (default: samples.json in the driver's folder).", completion: .file())
        var samples: String?

        @Option(help: "The setting that holds the application's address: a proxy goes between, and faults are made there.")
        var proxy: String?

        @Option(help: "Only this check; may be repeated.")
        var check: [String] = []

        func run() async throws {
            logging.setUp()
            let chosen = try await choice.chosen(needsSecrets: true)
            var options = ConformanceOptions()
            if !check.isEmpty {
                options.checks = []
                for name in check {
                    guard let known = Check(rawValue: name) else {
                        let names = Check.allCases.map(\.rawValue).joined(separator: ", ")
                        throw CommandFailure(.wrong, "--check \(name): there is no such check; there are \(names)")
                    }
                    options.checks.insert(known)
                }
            }
            let bench = try SampleBench(chosen, samples: try sampleFile(chosen.settings), proxy: proxy)
            let report: ConformanceReport
            do {
                report = try await DriverConformance(bench, options).run()
            } catch {
                await bench.close()
                throw CommandFailure(.notWell, "the driver could not be tried: \(error)")
            }
            await bench.close()
            Output.line(report.text)
            guard report.hasPassed else { throw ExitCode.notWell }
        }

        private func sampleFile(_ settings: DriverSettings) throws(CommandFailure) -> SampleFile {
            guard let path = samples ?? settings.values["folder"].map({ $0 + "/samples.json" }) else {
                throw CommandFailure(.wrong, "--samples is missing: the file that says how documents are made and changed")
            }
            guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure(.wrong, "\(path) cannot be read") }
            do throws(SampleFile.Mistake) {
                return try SampleFile(Array(data))
            } catch {
                throw CommandFailure(.wrong, "\(path): \(error.text)")
            }
        }
    }
}
