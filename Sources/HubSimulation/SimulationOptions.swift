package import HubRules

/// What a simulated world is like.
package struct SimulationOptions: Sendable {
    /// Steps while people edit and faults happen; afterwards everything drains.
    package var steps = 300
    /// More than one: assignments and the outbox are taken over now and then.
    package var hubs = 1
    /// How often people act.
    package var peopleWeight = 0.3
    /// A third application is attached while the hub runs.
    package var attachesThird = true
    /// A read tells a change stamp, and not only values.
    package var hasStamp = true
    /// The applications' clocks are off by a few steps.
    package var isSkewed = false
    package var planted: PlantedFault?
    /// Keep a trace of what happened.
    package var traces = false

    package init() {}
}

/// A rule that a run broke.
package struct Violation: Error, Sendable, CustomStringConvertible {
    /// The invariant's number in the architecture, or 0 for *the applications do not agree*.
    package var invariant: Int
    package var text: String

    package var description: String { "invariant \(invariant): \(text)" }
}
