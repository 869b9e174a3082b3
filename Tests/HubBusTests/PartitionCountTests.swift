import Testing

@testable import HubBus

@Suite struct PartitionCountTests {
    private func told(_ event: BusConsumer.Event?) -> String {
        guard case .partitionCountChanged(let topic, let from, let to) = event else { return "-" }
        return "\(topic) \(from) \(to)"
    }

    @Test func onlyAnotherNumberThanBeforeIsTold() {
        var counts = PartitionCounts()
        let steps = [("a", 4), ("b", 1), ("a", 4), ("a", 6), ("b", 1), ("a", 6), ("a", 4)]
        #expect(steps.map { told(counts.note($0.0, $0.1)) } == ["-", "-", "-", "a 4 6", "-", "-", "a 6 4"])
    }
}
