# Gives a new RT what docs/connect/request_tracker.md asks for, by RT's own API instead of its pages:
# the bot with its rights and token, the field for keys, and the scrip. Beside them what tests need:
# a person, a second queue, fields for tags and customer ids, and rights of customers to write mails.
# use: RT_SITE_CONFIG=... perl request_tracker_setup.pl PASSWORD SCRIP_FILE RIGHT...
# prints the tokens of the bot and of a user without rights
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use RT -init;

my ($password, $scrip_file, @rights) = @ARGV;
my $system = RT->SystemUser;

sub made {
    my ($what, $ok, $said) = @_;
    die "$what: $said\n" unless $ok;
    return $ok;
}

sub field {
    my ($name, $type, $lookup) = @_;
    my $field = RT::CustomField->new($system);
    made($name, $field->Create(Name => $name, Type => $type, LookupType => $lookup));
    # To all queues or users: object 0.
    made("$name everywhere", $field->AddToObject($lookup eq 'RT::User' ? RT::User->new($system) : RT::Queue->new($system)));
    return $field;
}

sub user {
    my ($name, %more) = @_;
    my $user = RT::User->new($system);
    made($name, $user->Create(Name => $name, EmailAddress => "$name\@desk.test", Privileged => 1, %more));
    return $user;
}

field('DeskgraphKey', 'FreeformSingle', 'RT::Queue-RT::Ticket-RT::Transaction');
field('Tags', 'FreeformMultiple', 'RT::Queue-RT::Ticket');
field('CustomerId', 'FreeformSingle', 'RT::User');
made('queue', RT::Queue->new($system)->Create(Name => 'Finance'));

my $bot = user('deskgraph');
my $person = user('emma', Password => $password);
# Without rights: for what a connection sees whose user has none.
my $clerk = user('clerk');
made('right of the bot', $bot->PrincipalObj->GrantRight(Object => RT->System, Right => $_)) for @rights;
made('right of the person', $person->PrincipalObj->GrantRight(Object => RT->System, Right => $_))
    for qw(ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket ModifyTicket OwnTicket TakeTicket StealTicket
    ReassignTicket SeeQueue SeeCustomField ModifyCustomField DeleteTicket AdminUsers);
my $everyone = RT::Group->new($system);
$everyone->LoadSystemInternalGroup('Everyone');
made('right of everyone', $everyone->PrincipalObj->GrantRight(Object => RT->System, Right => $_))
    for qw(CreateTicket ReplyToTicket);

open my $file, '<:encoding(UTF-8)', $scrip_file or die "$scrip_file: $!\n";
my $code = do { local $/; <$file> };
made('scrip', RT::Scrip->new($system)->Create(
    Queue => 0,
    Description => 'deskgraph',
    ScripCondition => 'On Transaction',
    ScripAction => 'User Defined',
    CustomPrepareCode => 'return 1;',
    CustomCommitCode => $code,
    Template => 'Blank',
));

for my $user ($bot, $clerk) {
    my ($ok, $said, $secret) = RT::AuthToken->new($system)->Create(Owner => $user->id, Description => 'deskgraph');
    made('token', $ok, $said);
    print "$secret\n";
}
