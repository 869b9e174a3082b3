import HubModel

extension Manifest {
    /// In what the manifest contradicts itself, or the capabilities of its driver, in words for who writes the driver; empty where it is
    /// sound.
    ///
    /// - Parameters:
    ///   - looksUp: the driver is ``LookingUp``.
    ///   - reads: the driver is ``Reading``.
    ///   - answers: the driver is ``Answering``.
    public func contradictions(looksUp: Bool, reads: Bool, answers: Bool = true) -> [String] {
        var found: [String] = []
        if driver.isEmpty || version.isEmpty { found.append("the driver has no name or no version") }
        if entities.isEmpty { found.append("it has no entities") }
        if settleTime <= .zero { found.append("the settle time is not longer than 0") }
        if answerTime <= .zero { found.append("the answer time is not longer than 0") }
        if limits.batch < 1 || limits.concurrentCalls < 1 || limits.callsPerMinute ?? 1 < 1 {
            found.append("limits below 1 would let nothing through")
        }
        if !functions.isEmpty, !answers { found.append("it has functions, and the driver answers none") }
        let names = functions.map(\.name)
        if Set(names).count != names.count { found.append("a function is there twice") }
        for (place, entity) in entities.enumerated() {
            if entities[..<place].contains(where: { $0.native == entity.native }) {
                found.append("the native type \(entity.native) is there twice")
            }
            found += entity.contradictions(looksUp: looksUp, reads: reads).map { "\(entity.native): \($0)" }
        }
        for (place, function) in functions.enumerated() {
            if functions[..<place].contains(where: { $0.name == function.name }) {
                found.append("the function \(function.name) is there twice")
            }
            let names = function.parameters.map(\.name)
            if Set(names).count != names.count { found.append("\(function.name): a parameter is there twice") }
            if function.parameters.count(where: { $0.kind == .company }) > 1 { found.append("\(function.name): it asks for two companies") }
        }
        let isUnsafe = entities.contains { !$0.hasToken || (!$0.createIsRepeatable && $0.operations.contains(.create)) }
        if isUnsafe, window.isEmpty {
            found.append("without tokens or repeatable creates something remains unsafe, and window does not say what")
        }
        return found
    }
}

extension EntityManifest {
    fileprivate func contradictions(looksUp: Bool, reads: Bool) -> [String] {
        var found: [String] = []
        if native.isEmpty || entity.rawValue.isEmpty { found.append("it has no name or no entity") }
        if operations.contains(.create), !looksUp {
            found.append("documents are created, and the driver cannot look up what came of a call without an answer")
        }
        if !operations.isDisjoint(with: [.update, .delete]), !reads {
            found.append("documents are updated or deleted, and the driver cannot read what came of a call without an answer")
        }
        if operations.contains(.delete), delete == .refuses {
            found.append("delete is among its operations, and the application refuses deletions")
        }
        if hasStamp, !reads, !looksUp { found.append("reads tell a stamp, and the driver cannot read") }
        for (state, targets) in transitions.sorted(by: { $0.key < $1.key }) {
            for target in targets where transitions[target] == nil {
                found.append("\(state) may go to \(target), which is no state of its own in transitions")
            }
        }
        return found
    }
}
