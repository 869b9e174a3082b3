package import HubModel
package import HubStore

extension StoreTransaction {
    /// Links a document, and wakes in the same transaction whatever in that application waited for it.
    package func store(link reference: NativeReference, to id: CanonicalID, target: Target, state: inout TargetState) throws(StoreError) {
        try putLink(reference, id)
        state.key = reference.key
        try SoftReferences.linked(reference, in: self)
        for waiting in try awaiting(reference.application, id) where waiting != target {
            var other = try self.target(waiting)
            guard other.wait?.reason == .reference, let golden = try golden(waiting.id) else { continue }
            other.wait = TargetState.Wait(.ready, since: other.wait?.since ?? Instant(milliseconds: 0))
            try put(other, waiting, golden.entity)
        }
        for incomplete in try leavingOut(reference.application, id) where incomplete != target {
            var other = try self.target(incomplete)
            // One with a call under way looks at its end whether it can be completed.
            guard other.wait == nil, let golden = try golden(incomplete.id) else { continue }
            other.leftOut = other.leftOut.filter { $0.value != id }
            other.wait = TargetState.Wait(.ready, detail: "complete", since: Instant(milliseconds: 0))
            try put(other, incomplete, golden.entity)
        }
    }
}
