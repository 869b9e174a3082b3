import HubDriver
import HubModel

/// Runs the whole contract of a driver against its live application.
///
/// The hub's part of the contract is done as the hub does it: time limits, the settle time before a look-up, the look-up before a create
/// is sent again, an update on condition of the state last told.
public struct DriverConformance: Sendable {
    private let bench: any DriverBench
    private let options: ConformanceOptions

    public init(_ bench: any DriverBench, _ options: ConformanceOptions = ConformanceOptions()) {
        self.bench = bench
        self.options = options
    }

    /// Every check of every sample; what fails stands in the report.
    ///
    /// - Throws: what the bench throws where it cannot make a driver or samples at all.
    public func run() async throws -> ConformanceReport {
        try await bench.faults.arm(.none)
        let first = try await bench.makeDriver()
        let manifest = first.manifest
        let samples = try await bench.samples
        var report = ConformanceReport(driver: "\(manifest.driver) \(manifest.version)", window: manifest.window)
        if options.checks.contains(.manifest) {
            for entry in manifestEntries(first, samples) { add(entry, to: &report) }
        }
        await close(first)
        let marks = Marks()
        let questions = options.checks.contains(.functions) ? try await bench.questions : []
        for check in Check.allCases where options.checks.contains(check) {
            for step in steps(check, samples.filter { manifest.entity(native: $0.native) != nil }, questions, manifest) {
                add(await result(check, step, marks), to: &report)
            }
        }
        return report
    }

    private func add(_ entry: ConformanceReport.Entry, to report: inout ConformanceReport) {
        report.entries.append(entry)
        options.progress?(entry)
    }

    private func manifestEntries(_ driver: any Driver, _ samples: [Sample]) -> [ConformanceReport.Entry] {
        let contradictions = Trial.contradictions(driver)
        let result = contradictions.isEmpty ? ConformanceReport.Result.passed("\(driver.manifest.entities.count) types") : nil
        var entries = [
            ConformanceReport.Entry(
                check: .manifest, subject: "", result: result ?? .failed(contradictions.joined(separator: "; ")), duration: .zero)
        ]
        let known = driver.manifest.entities
        for entity in known where !samples.contains(where: { $0.native == entity.native }) {
            let text = entity.operations.isEmpty ? "it takes no writes, and the bench has no sample" : "the bench has no sample of it"
            entries.append(.init(check: .manifest, subject: entity.native, result: .absent(text), duration: .zero))
        }
        for sample in samples where !known.contains(where: { $0.native == sample.native }) {
            entries.append(
                .init(check: .manifest, subject: sample.native, result: .failed("the manifest has no such type"), duration: .zero))
        }
        return entries
    }

    // MARK: Steps

    /// One thing to try.
    private struct Step: Sendable {
        let sample: Sample
        var subject: String
        let run: @Sendable (Trial) async throws -> String

        init(_ sample: Sample, _ detail: String = "", run: @escaping @Sendable (Trial) async throws -> String) {
            self.sample = sample
            subject = detail.isEmpty ? sample.native : "\(sample.native) \(detail)"
            self.run = run
        }

        /// Concerns the driver as a whole, and is tried with one sample.
        func ofDriver() -> Step {
            var step = self
            step.subject = ""
            return step
        }
    }

    private func steps(_ check: Check, _ samples: [Sample], _ questions: [QuestionSample], _ manifest: Manifest) -> [Step] {
        let each = { (run: @escaping @Sendable (Trial) async throws -> String) in samples.map { Step($0, run: run) } }
        /// The first sample that takes creates and updates.
        let once = { (run: @escaping @Sendable (Trial) async throws -> String) in
            let able = samples.first { manifest.entity(native: $0.native)?.operations.isSuperset(of: [.create, .update]) == true }
            return (able ?? samples.first).map { [Step($0, run: run).ofDriver()] } ?? []
        }
        switch check {
        case .manifest: return []
        case .identity: return once { try await $0.identity() }
        case .discovery:
            return once { try await $0.discoveredTypes() }
                + samples.flatMap { sample in
                    [
                        Step(sample, "fields") { try await $0.discoveredFields() },
                        Step(sample, "rights") { try await $0.discoveredRights() },
                    ]
                }
        case .redelivery: return each { try await $0.redelivery() }
        case .intentRecovery: return each { try await $0.intentRecovery() }
        case .lateCompletion: return each { try await $0.lateCompletion() }
        case .halfDone:
            return samples.flatMap { sample in
                [Step(sample) { try await $0.halfDone() }, Step(sample, "in an outage") { try await $0.outage() }]
            }
        case .laneOrder: return each { try await $0.laneOrder() }
        case .laneConcurrency: return each { try await $0.laneConcurrency() }
        case .conditionalWrite: return each { try await $0.conditionalWrite() }
        case .editBeforeReadBack: return each { try await $0.editBeforeReadBack() }
        case .rules: return samples.flatMap { ruleSteps($0, manifest) }
        case .retryableAndFinal:
            return once { try await $0.retryable() } + samples.map { Step($0, "for the moment") { try await $0.busy() } }
        case .unreachable: return once { try await $0.unreachable() }
        case .slow: return once { try await $0.slow() }
        case .rateLimit: return once { try await $0.rateLimit() }
        case .unknownField: return each { try await $0.unknownField() }
        case .hostileText: return probeSteps(samples) { if case .text = $0 { true } else { false } }
        case .decimals: return probeSteps(samples) { if case .decimal = $0 { true } else { false } }
        case .dates: return probeSteps(samples) { $0 == .date }
        case .paging: return each { try await $0.paging() }
        case .capture: return each { try await $0.capture() }
        case .delete: return each { try await $0.delete() }
        case .functions: return functionSteps(samples, questions, manifest)
        case .shutdown: return once { try await $0.shutdown() }
        }
    }

    private func ruleSteps(_ sample: Sample, _ manifest: Manifest) -> [Step] {
        guard let rules = manifest.entity(native: sample.native)?.rules else { return [] }
        if rules.isEmpty { return [Step(sample) { _ in throw Verdict.notApplicable("the manifest names no rule") }] }
        let declared = rules.map { rule in
            let breach = sample.breaches.first { $0.rule == rule }
            return Step(sample, rule) { trial in
                guard let breach else { throw Verdict.failed("the bench does not break it, and does not say why") }
                return try await trial.breaking(breach)
            }
        }
        let others = sample.breaches.filter { !rules.contains($0.rule) }.map { breach in
            Step(sample, breach.rule) { _ in throw Verdict.failed("the bench breaks a rule that the manifest does not name") }
        }
        return declared + others
    }

    private func functionSteps(_ samples: [Sample], _ questions: [QuestionSample], _ manifest: Manifest) -> [Step] {
        guard let sample = samples.first else { return [] }
        func step(_ subject: String, _ run: @escaping @Sendable (Trial) async throws -> String) -> Step {
            var step = Step(sample, run: run)
            step.subject = subject
            return step
        }
        if manifest.functions.isEmpty, questions.isEmpty {
            return [step("") { _ in throw Verdict.notApplicable("the manifest names no function") }]
        }
        var steps = manifest.functions.map { function in
            let question = questions.first { $0.function == function.name }
            return step(function.name) { trial in
                guard let question else { throw Verdict.absent("the bench has no question") }
                return try await trial.answers(function, question)
            }
        }
        steps += questions.filter { question in !manifest.functions.contains { $0.name == question.function } }.map { question in
            step(question.function) { _ in throw Verdict.failed("the bench asks for a function that the manifest does not name") }
        }
        guard !questions.isEmpty else { return steps }
        return steps + [
            step("out of reach") { try await $0.answersNothing(questions) },
            step("write nothing") { try await $0.writesNothing(questions) },
        ]
    }

    private func probeSteps(_ samples: [Sample], _ isMeant: (FieldProbe.Kind) -> Bool) -> [Step] {
        samples.flatMap { sample in
            let probes = sample.probes.filter { isMeant($0.kind) }
            if probes.isEmpty { return [Step(sample) { _ in throw Verdict.notApplicable("the bench names no such member") }] }
            return probes.map { probe in Step(sample, probe.name) { try await $0.exact(probe) } }
        }
    }

    // MARK: Results

    private func result(_ check: Check, _ step: Step, _ marks: Marks) async -> ConformanceReport.Entry {
        let begun = ContinuousClock.now
        let result: ConformanceReport.Result
        do {
            result = .passed(try await tried(step, marks))
        } catch let verdict as Verdict {
            switch verdict {
            case .failed(let text): result = .failed(text)
            case .absent(let text): result = .absent(text)
            case .notApplicable(let text): result = .notApplicable(text)
            }
        } catch {
            result = .failed("\(error)")
        }
        return ConformanceReport.Entry(check: check, subject: step.subject, result: result, duration: ContinuousClock.now - begun)
    }

    private func tried(_ step: Step, _ marks: Marks) async throws -> String {
        try await bench.faults.arm(.none)
        let driver = try await bench.makeDriver()
        guard let entity = driver.manifest.entity(native: step.sample.native) else {
            await close(driver)
            throw Verdict.failed("the manifest is not the same for another driver of the bench")
        }
        let trial = Trial(bench: bench, options: options, marks: marks, sample: step.sample, driver: driver, entity: entity)
        do {
            let text = try await step.run(trial)
            await close(driver)
            return text
        } catch {
            await close(driver)
            throw error
        }
    }

    /// Closes a driver; one that hangs in it is found by its own check.
    private func close(_ driver: any Driver) async {
        let call = RunningCall { await driver.close() }
        _ = await call.result(within: options.patience)
    }
}
