import HubTestKit
import Testing

struct ConformanceTests {
    @Test func aDriverThatKeepsTheContractPassesEverything() async throws {
        let report = try await DriverConformance(WarehouseBench(), quick()).run()
        #expect(report.hasPassed, "\(report.text)")
        for check in Check.allCases {
            #expect(report.results(check).contains { if case .passed = $0 { true } else { false } }, "\(check.rawValue)")
        }
        #expect(report.absent == ["rules item territory"])
    }

    @Test(arguments: Defect.allCases)
    func eachDefectIsFound(_ defect: Defect) async throws {
        var bench = WarehouseBench(defect: defect)
        if defect == .createsTwice { bench.profile.createIsRepeatable = true }
        if defect == .chatty { bench.profile = Profile(readsBack: false, callsPerMinute: 20) }
        let report = try await DriverConformance(bench, quick([defect.check])).run()
        #expect(report.failures.map(\.check).contains(defect.check), "\(report.text)")
        #expect(!report.hasPassed)
    }

    @Test func everyCheckHasADefectThatItFinds() {
        #expect(Set(Defect.allCases.map(\.check)) == Set(Check.allCases))
    }

    @Test func theProxyServesAsWell() async throws {
        let report = try await DriverConformance(SocketBench(), quick()).run()
        #expect(report.hasPassed, "\(report.text)")
        #expect(report.entries.count { if case .passed = $0.result { true } else { false } } == 34)
    }

    @Test(arguments: [
        Defect.lostAnswerIsRetry, .repeatsAfterTimeOut, .swallowsErrors, .unreachableMidway, .hidesEdits, .outageIsNoAnswer,
        .ignoresCancellation, .oneAtATime,
        .fansOut,
    ])
    func theProxyFindsDefects(_ defect: Defect) async throws {
        let report = try await DriverConformance(SocketBench(defect: defect), quick([defect.check])).run()
        #expect(report.failures.map(\.check) == [defect.check], "\(report.text)")
    }

    @Test func whatTheManifestDoesNotHaveIsAbsent() async throws {
        let bench = WarehouseBench(profile: Profile(hasToken: false, createIsRepeatable: true))
        let report = try await DriverConformance(bench, quick([.manifest, .redelivery, .conditionalWrite])).run()
        #expect(report.hasPassed, "\(report.text)")
        #expect(report.absences.map(\.check) == [.conditionalWrite])
        let blind = try await DriverConformance(
            WarehouseBench(defect: .withoutLookUp), quick([.discovery, .paging, .capture, .functions])
        ).run()
        #expect(blind.absences.map(\.check) == [.discovery, .discovery, .discovery, .paging, .capture])
        #expect(blind.absent.count == 5 && blind.absent.contains("capture item"), "\(blind.absent)")
        // Where nothing was tried nothing has been kept.
        #expect(!blind.hasPassed && blind.failures.isEmpty)
    }

    @Test func mappedFieldsHaveToBeFound() async throws {
        var bench = WarehouseBench()
        bench.mapped = ["name", "price", "colour"]
        let report = try await DriverConformance(bench, quick([.discovery])).run()
        #expect(report.failures.map(\.subject) == ["item fields"])
        #expect(report.text.contains("colour is written or mapped, and not found"), "\(report.text)")
    }

    @Test func aLimitAMinuteIsKept() async throws {
        let bench = WarehouseBench(profile: Profile(readsBack: false, callsPerMinute: 20))
        let report = try await DriverConformance(bench, quick([.rateLimit])).run()
        #expect(report.hasPassed, "\(report.text)")
    }

    @Test func whatTheBenchOmitsIsSaid() async throws {
        let report = try await DriverConformance(
            BareBench(), quick([.rules, .editBeforeReadBack, .hostileText, .retryableAndFinal])
        ).run()
        #expect(report.failures.map(\.subject).sorted() == BareBench.rules.map { "item \($0)" }.sorted())
        #expect(report.absences.map(\.subject) == ["item", "item for the moment"])
        #expect(report.text.contains("the bench names no such member"))
    }

    @Test func functionsWithoutQuestionsAreAbsent() async throws {
        let report = try await DriverConformance(BareBench(), quick([.functions])).run()
        #expect(report.absences.map(\.subject) == ["price"])
        #expect(!report.hasPassed && report.failures.isEmpty)
    }

    @Test func withoutFaultsWhatNeedsThemIsAbsent() async throws {
        let report = try await DriverConformance(BareBench(faults: NoFaults()), quick([.intentRecovery, .unreachable, .rateLimit])).run()
        #expect(report.absences.map(\.check) == [.intentRecovery, .unreachable, .rateLimit])
    }

    @Test func theReportIsForPeople() async throws {
        let report = try await DriverConformance(WarehouseBench(), quick([.manifest, .identity, .rules])).run()
        let lines = report.text.split(separator: "\n")
        #expect(lines.first == "Conformance of warehouse 1")
        #expect(lines.contains { $0.hasPrefix("  passed   rules") && $0.contains("item duplicate-code") })
        #expect(lines.contains { $0.hasPrefix("  absent   rules") && $0.hasSuffix("it binds people only") })
        #expect(lines.contains("6 passed, 0 FAILED, 1 absent, 0 n/a; it is kept"))
        #expect(lines.last == "What the manifest leaves open: What tests leave open.")
    }
}
