//! The server's life in a cluster: policies and exceptions by watch, leader, registration, certificate Secret, Events.
