import HubBus
import HubModel
import Testing

@Suite struct AssignmentMachineTests {
    let a = TopicPartition("t", 0)
    let b = TopicPartition("t", 1)

    /// A step and what the machine has to answer to it.
    enum Step {
        case assign([TopicPartition], epoch: Int)
        case started(TopicPartition, Int64)
        case admits(TopicPartition, Int64?)
        case received(TopicPartition, next: Int64)
        case beginRevocation([TopicPartition], known: [TopicPartition])
        case finalOffsets([TopicPartition: Int64], lost: Bool, [TopicPartition: Int64])
        case endRevocation([TopicPartition])
        case commit([TopicPartition: Int64], [TopicPartition: Int], late: [TopicPartition])
        case outOfRange(TopicPartition, epoch: Int?)
        case reposition(TopicPartition, Bool)
        case fill([TopicPartition])
        case drain([TopicPartition])
        case pause([TopicPartition], [TopicPartition])
        case resume([TopicPartition], [TopicPartition])
        case mustPause([TopicPartition], [TopicPartition])
    }

    private func run(_ steps: [Step], sourceLocation: SourceLocation = #_sourceLocation) {
        var machine = AssignmentMachine()
        for (index, step) in steps.enumerated() {
            let note: Comment = "step \(index): \(step)"
            switch step {
            case .assign(let partitions, let epoch):
                #expect(machine.assign(partitions) == epoch, note, sourceLocation: sourceLocation)
            case .started(let partition, let offset): machine.started(partition, at: offset)
            case .admits(let partition, let offset):
                #expect(machine.admission(partition) == offset, note, sourceLocation: sourceLocation)
            case .received(let partition, let next): machine.received(partition, next: next)
            case .beginRevocation(let partitions, let known):
                #expect(machine.beginRevocation(partitions) == known, note, sourceLocation: sourceLocation)
            case .finalOffsets(let offsets, let lost, let expected):
                #expect(machine.finalOffsets(offsets, lost: lost) == expected, note, sourceLocation: sourceLocation)
            case .endRevocation(let partitions): machine.endRevocation(partitions)
            case .commit(let offsets, let epochs, let late):
                let result = machine.committable(offsets, epochs: epochs)
                #expect(result.late == late, note, sourceLocation: sourceLocation)
                #expect(Set(result.current.keys) == Set(offsets.keys).subtracting(late), note, sourceLocation: sourceLocation)
            case .outOfRange(let partition, let epoch):
                #expect(machine.outOfRange(partition) == epoch, note, sourceLocation: sourceLocation)
            case .reposition(let partition, let expected):
                #expect(machine.reposition(partition) == expected, note, sourceLocation: sourceLocation)
            case .fill(let paused): #expect(machine.fill() == paused, note, sourceLocation: sourceLocation)
            case .drain(let resumed): #expect(machine.drain() == resumed, note, sourceLocation: sourceLocation)
            case .pause(let partitions, let paused):
                #expect(machine.pause(partitions) == paused, note, sourceLocation: sourceLocation)
            case .resume(let partitions, let resumed):
                #expect(machine.resume(partitions) == resumed, note, sourceLocation: sourceLocation)
            case .mustPause(let partitions, let paused):
                #expect(machine.mustPause(partitions) == paused, note, sourceLocation: sourceLocation)
            }
        }
    }

    @Test func recordsAreAdmittedOnceAndOnlyWhileConsuming() {
        run([
            .admits(a, nil), .assign([a], epoch: 1), .admits(a, 0), .started(a, 7), .admits(a, 7), .received(a, next: 9),
            .admits(a, 9), .received(a, next: 8), .admits(a, 9), .beginRevocation([a], known: [a]), .admits(a, nil),
            .received(a, next: 20), .endRevocation([a]), .admits(a, nil),
        ])
    }

    @Test func lateWorkIsFenced() {
        run([
            .assign([a, b], epoch: 1), .commit([a: 5, b: 5], [a: 1], late: []), .commit([a: 5], [a: 2], late: [a]),
            .beginRevocation([a], known: [a]), .commit([a: 6], [a: 1], late: []), .endRevocation([a]),
            .commit([a: 7, b: 7], [a: 1, b: 1], late: [a]), .commit([a: 7], [:], late: [a]),
            .assign([a], epoch: 2), .commit([a: 7, b: 8], [a: 1, b: 1], late: [a]), .commit([a: 7], [a: 2], late: []),
            .commit([b: -1], [:], late: [b]),
        ])
    }

    @Test func finalOffsetsAreThoseOfDrainingPartitionsUnlessLost() {
        run([
            .assign([a, b], epoch: 1), .beginRevocation([a, TopicPartition("other", 0)], known: [a]),
            .finalOffsets([a: 3, b: 4], lost: false, [a: 3]), .finalOffsets([a: 3], lost: true, [:]),
            .finalOffsets([a: -1001], lost: false, [:]), .endRevocation([a, b]), .admits(b, 0), .finalOffsets([a: 3], lost: false, [:]),
        ])
    }

    @Test func outOfRangeStopsUntilRepositioned() {
        run([
            .outOfRange(a, epoch: nil), .assign([a], epoch: 1), .started(a, 5), .outOfRange(a, epoch: 1), .outOfRange(a, epoch: nil),
            .admits(a, nil), .reposition(a, true), .admits(a, 0), .reposition(b, false), .outOfRange(a, epoch: 1),
            .beginRevocation([a], known: [a]), .reposition(a, false), .endRevocation([a]), .assign([a], epoch: 2), .admits(a, 0),
        ])
    }

    @Test func backpressureAndTheCallersPausesAddUp() {
        run([
            .assign([a, b], epoch: 1), .pause([a], [a]), .pause([a], []), .fill([b]), .fill([]), .resume([a], []), .pause([b], []),
            .drain([a]), .drain([]), .resume([b], [b]), .fill([a, b]), .assign([TopicPartition("t", 2)], epoch: 2),
            .mustPause([TopicPartition("t", 2)], [TopicPartition("t", 2)]), .beginRevocation([b], known: [b]), .pause([b], []),
            .drain([a, TopicPartition("t", 2)]), .mustPause([a], []),
        ])
    }

    @Test func anAssignmentAnewStartsANewEpoch() {
        run([
            .assign([a], epoch: 1), .started(a, 9), .pause([a], [a]), .assign([a], epoch: 2), .admits(a, 0), .mustPause([a], []),
            .commit([a: 1], [a: 1], late: [a]),
        ])
    }
}
